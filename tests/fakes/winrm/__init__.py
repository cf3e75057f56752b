"""A Windows machine behind WinRM, with NSSM and a service: real HTTP, TLS and NTLM; what runs on it is modelled."""

from .machine import Machine
from .server import windows_machine

__all__ = ["Machine", "windows_machine"]
