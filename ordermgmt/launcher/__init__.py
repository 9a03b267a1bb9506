"""The programs that `./run up` starts, and their preparation."""
