"""Python 3.12 and later have no imp; carbon 1.1.7, as Ubuntu 24.04 has it,
imports it and uses it for routers of one's own alone."""
