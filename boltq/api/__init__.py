"""BoltQ over HTTP: the client's verbs for programs in any language and for people with curl."""
