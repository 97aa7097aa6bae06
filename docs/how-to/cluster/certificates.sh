#!/bin/sh
# Make a certificate authority of your own, and one certificate that all machines of a cluster show to each other:
#     sh certificates.sh 10.0.0.1 10.0.0.2 node3.example.org
# It writes ca.pem, cert.pem and key.pem into the current folder. Whoever has key.pem can run programs on the cluster:
# copy it over ssh only. Dask checks that a certificate was signed by ca.pem, not the name in it.
set -eu
umask 077
for file in ca.pem ca-key.pem cert.pem key.pem; do
    if [ -e "$file" ]; then
        echo "$file is here already: make certificates in another folder, or remove it" >&2
        exit 1
    fi
done
log=$(mktemp)
trap 'rm -f "$log" request.pem extensions.txt ca.srl' EXIT
quietly() { "$@" 2>"$log" || { cat "$log" >&2; exit 1; }; }

names=$(printf '%s\n' "$@" | sed -E 's/^([0-9.]+|.*:.*)$/IP:\1/; /^IP:/!s/^/DNS:/' | paste -sd, -)
[ "$#" -gt 0 ] || names=DNS:localhost
quietly openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj "/CN=w2v cluster" -keyout ca-key.pem -out ca.pem \
    -addext keyUsage=critical,keyCertSign,cRLSign
quietly openssl req -newkey rsa:3072 -nodes -subj "/CN=w2v" -keyout key.pem -out request.pem
printf '%s\n' "subjectAltName=$names" basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature,keyEncipherment \
    extendedKeyUsage=serverAuth,clientAuth subjectKeyIdentifier=hash authorityKeyIdentifier=keyid >extensions.txt
quietly openssl x509 -req -in request.pem -days 365 -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile extensions.txt \
    -out cert.pem
