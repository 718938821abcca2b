"""Several store days in a minute: what `make demo` lives through."""
