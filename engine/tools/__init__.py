"""What a person runs beside the roles: replay, prices, enrolment, and the command line."""
