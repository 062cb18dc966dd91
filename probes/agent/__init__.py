"""What runs inside the job: hooks, the step's state machine and the guard round every sensor.

Nothing here is imported by the rest of the product, and nothing here may print, use random numbers,
call a collective or let an exception out.
"""
