"""Controls that several features use, and the forms made from specs."""
