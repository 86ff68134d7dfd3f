"""Exchange: the running system, a server that can read nothing and the clients of real people."""
