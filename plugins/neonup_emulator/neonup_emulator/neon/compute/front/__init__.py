"""The front: a process of its own that holds endpoints' public addresses and moves their bytes.

It knows nothing of Postgres's protocol, so TLS and channel binding end in Postgres itself. A
connection to an endpoint whose server sleeps is held until the server has been woken.
"""
