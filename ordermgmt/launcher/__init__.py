"""The programs that `./run up` starts, and what they need first."""
