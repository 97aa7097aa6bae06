"""Pictures: plots of the loss, and the word map, a page of HTML."""
