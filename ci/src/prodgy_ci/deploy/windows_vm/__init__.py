"""A service of a Windows machine, which NSSM runs, over WinRM."""
