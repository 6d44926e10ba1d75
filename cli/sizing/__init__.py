"""How much of everything an amount of events needs, and what that costs: measured figures and prices as data, the arithmetic, a simulation."""
