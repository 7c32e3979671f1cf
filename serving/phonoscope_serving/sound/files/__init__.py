"""Files of sound: where recordings lie in them, what their containers say, and what is decoded from them."""
