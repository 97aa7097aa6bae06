#!/bin/sh
# Make a certificate authority of your own, and one certificate that all machines of a cluster show to each other:
#     sh certificates.sh 10.0.0.1 10.0.0.2 node3.example.org
# It writes ca.pem, cert.pem and key.pem into the current folder. Whoever has key.pem can run programs on the cluster:
# copy it over ssh only. Dask checks that a certificate was signed by ca.pem, not the name in it.
set -eu
umask 077
names=$(printf '%s\n' "$@" | sed -E 's/^([0-9.]+|.*:.*)$/IP:\1/; /^IP:/!s/^/DNS:/' | paste -sd, -)
openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj "/CN=w2v cluster" -keyout ca-key.pem -out ca.pem
openssl req -newkey rsa:3072 -nodes -subj "/CN=w2v" -keyout key.pem -out request.pem
printf 'subjectAltName=%s\n' "${names:-DNS:localhost}" > names.txt
openssl x509 -req -in request.pem -days 365 -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile names.txt -out cert.pem
rm -f request.pem names.txt ca.srl
