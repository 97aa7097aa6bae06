"""Checks of a GPU: from the device to a report on correctness, quality and speed.

Begin with `checking.check_gpu`: `agreement` compares kernels with the reference, `trials` trains on generated `texts`
on the CPU and the GPU, `device` describes the device. Import the modules by name: only `w2v gpu-check` uses them.
"""
