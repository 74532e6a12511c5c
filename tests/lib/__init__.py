"""Shared by tests and the programs beside them: processes that are always
stopped, UDP sinks, frames, and HTTP and FastCGI clients that send whatever a
test wants."""
