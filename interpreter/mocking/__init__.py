"""Mock configuration files: what tasks answer instead of doing their work (mocking).

Pure but for reading the file: which answer a task gets follows from the configuration, the test case, and how
often the state was tried before.
"""

from .config import Answer, MockConfig, MockError, Response
from .read import read_mocks

__all__ = ["Answer", "MockConfig", "MockError", "Response", "read_mocks"]
