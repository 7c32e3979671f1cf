"""The songs of a studio: their files, their sound, and what is known of them along their length."""
