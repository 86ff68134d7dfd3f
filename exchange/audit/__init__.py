"""The audit: the whole log walked record by record, without a key, by the rules that server and clients follow."""
