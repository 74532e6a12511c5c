"""What tests and the programs beside them share: processes that are always
stopped again, UDP sinks, an HTTP and a FastCGI client that say what they are
told to, and frames."""
