"""How far answers are to be doubted: fitted in closed form, or nearly, to music and to foreign sounds."""
