"""The word map: projection, clusters and one HTML page. Begin with `layout`."""
