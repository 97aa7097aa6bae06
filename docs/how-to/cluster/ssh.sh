#!/bin/sh
# Start a scheduler here and a worker on each host over ssh, train, and end them again:
#     sh ssh.sh "node1 node2" /shared/corpus.txt --epochs 5 --output vectors.safetensors
# The first argument are the hosts, the others go to `w2v train`. All hosts see the corpus under the same path, and have
# w2v-cli[distributed] in the Python that W2V_PYTHON names [python3]; W2V_SSH is the ssh to use [ssh]. Certificates are
# made for this run and copied over ssh, so that nothing is trusted but what ssh is. W2V_HOST: this machine's address.
set -eu
hosts=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
python=${W2V_PYTHON:-python3}
ssh=${W2V_SSH:-ssh}
host=${W2V_HOST:-$(hostname -f)}
port=${W2V_PORT:-8786}
work=$(mktemp -d)
started=""
finish() {
    for process in $started; do kill "$process" 2>/dev/null || true; done
    for node in $hosts; do
        $ssh "$node" "kill \$(cat '/tmp/w2v-cluster-$$/pid'); rm -rf '/tmp/w2v-cluster-$$'" </dev/null 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT INT TERM

(cd "$work" && sh "$here/certificates.sh" "$host" $hosts)
tls="--tls-ca-file ca.pem --tls-cert cert.pem --tls-key key.pem"
http="--no-dashboard --dashboard-address 127.0.0.1:0"  # what Dask serves without encryption stays on each machine
(cd "$work" && exec "$python" -m dask scheduler --host "$host" --port "$port" --protocol tls $http $tls 2>scheduler.log) &
started="$started $!"
for node in $hosts; do
    (cd "$work" && tar cf - ca.pem cert.pem key.pem) |
        $ssh "$node" "umask 077; mkdir -p '/tmp/w2v-cluster-$$' && tar xf - -C '/tmp/w2v-cluster-$$'"
    $ssh "$node" "cd '/tmp/w2v-cluster-$$' && echo \$\$ >pid && exec '$python' -m dask worker 'tls://$host:$port' --protocol tls \
        --nworkers ${W2V_WORKERS:-1} --nthreads 1 --memory-limit 0 $http $tls --local-directory '/tmp/w2v-cluster-$$' 2>worker.log" </dev/null &
    started="$started $!"
done
"$python" -m w2v_cli train "$@" --cluster "tls://$host:$port" \
    --tls-ca "$work/ca.pem" --tls-cert "$work/cert.pem" --tls-key "$work/key.pem"
