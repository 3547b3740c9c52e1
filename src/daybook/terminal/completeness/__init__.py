"""What products lack, as it is seen."""
