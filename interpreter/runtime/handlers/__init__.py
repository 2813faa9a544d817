"""What does the work behind a Task's Resource.

``base`` is the seam the engine knows; ``registry`` finds the handler of a resource; the other modules
each own one kind of work. Nothing here knows executions, stores or the engine.
"""
