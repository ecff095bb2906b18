#!/bin/bash
# run-suite on the nodes of one Slurm job; the options of run-suite follow the script:
#
#     sbatch deploy/slurm.sh --dataset nyt11 --out "$PWD/nyt11"
#
# For runs on GPUs, give sbatch --gpus-per-node=1 as well, and run-suite --device cuda.
#SBATCH --job-name=run-suite
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --exclusive
#SBATCH --time=24:00:00
set -euo pipefail

first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 --nodelist="$first" hostname --ip-address | awk '{print $1}')
port=$((6379 + SLURM_JOB_ID % 1000))

# The single quotes leave the node's name to each node; a step has one CPU per task unless it asks
# for more.
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" \
    --cpus-per-task="$SLURM_CPUS_PER_TASK" bash -c '
    exec ray symmetric-run --address "$1" --min-nodes "$SLURM_JOB_NUM_NODES" \
        --num-cpus "$SLURM_CPUS_PER_TASK" --node-name "$SLURMD_NODENAME" \
        -- run-suite --ray-address auto --threads "$SLURM_CPUS_PER_TASK" "${@:2}"
' ray "$address:$port" "$@"
