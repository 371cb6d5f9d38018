"""What the process may use of its machine: CPUs, file descriptors, memory."""
