"""OAuth 2 and OpenID Connect: users let applications act for them."""
