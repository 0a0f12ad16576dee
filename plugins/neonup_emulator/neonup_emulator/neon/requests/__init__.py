"""What the API's bodies may hold; msgspec refuses what is not of these types.

Names and limits are those of Neon's OpenAPI document. A field that is absent is `UNSET`.
"""
