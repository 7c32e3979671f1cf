"""How the page is spoken to: who is let in, what is answered, and in which words it is refused."""
