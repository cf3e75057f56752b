"""WS-Management's envelopes: what is read of a request, and the answers."""

import base64
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
MAX_OPERATIONS = 2150859174
TIMED_OUT = 2150858793

_NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "rsp": SHELL,
}
_SPACES = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in {**_NAMES, "x": TRANSFER}.items())


@dataclass(frozen=True)
class Request:
    """What a request asks."""

    action: str
    """In lower case, without its address."""
    message: str
    shell: str
    command: str
    line: str
    """For Command."""
    data: bytes
    """For Send."""
    end: bool
    timeout: float


def parse(envelope: bytes) -> Request:
    root = ET.fromstring(envelope)
    stream = root.find("s:Body/rsp:Send/rsp:Stream", _NAMES)
    body = root.find("s:Body", _NAMES)
    named = [
        node.attrib["CommandId"] for node in (body.iter() if body is not None else ()) if "CommandId" in node.attrib
    ]
    words = (_text(root, f"s:Body/rsp:CommandLine/rsp:{part}") for part in ("Command", "Arguments"))
    timeout = _text(root, "s:Header/w:OperationTimeout")
    return Request(
        action=_text(root, "s:Header/a:Action").rpartition("/")[2].lower(),
        message=_text(root, "s:Header/a:MessageID"),
        shell=_text(root, "s:Header/w:SelectorSet/w:Selector"),
        command=named[0] if named else "",
        line=" ".join(word for word in words if word),
        data=base64.b64decode(stream.text or "") if stream is not None else b"",
        end=stream is not None and stream.get("End") == "true",
        timeout=float(timeout[2:-1]) if timeout else 60.0,
    )


def _text(root: ET.Element, path: str) -> str:
    return root.findtext(path, "", _NAMES)


def _envelope(request: Request, action: str, body: str) -> bytes:
    return (
        f"<s:Envelope {_SPACES}><s:Header><a:Action>{action}</a:Action>"
        f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><a:RelatesTo>{escape(request.message)}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def created(request: Request, shell: str) -> bytes:
    selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>'
    body = f"<x:ResourceCreated><a:ReferenceParameters>{selector}</a:ReferenceParameters></x:ResourceCreated>"
    return _envelope(request, f"{TRANSFER}/CreateResponse", body)


def started(request: Request, command: str) -> bytes:
    body = f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>"
    return _envelope(request, f"{SHELL}/CommandResponse", body)


def done(request: Request) -> bytes:
    """For Send, Signal and Delete."""
    action = f"{TRANSFER}/DeleteResponse" if request.action == "delete" else f"{SHELL}/{request.action.title()}Response"
    body = {"send": "<rsp:SendResponse/>", "signal": "<rsp:SignalResponse/>"}.get(request.action, "")
    return _envelope(request, action, body)


def received(request: Request, out: bytes, error: bytes, code: int | None) -> bytes:
    streams = ""
    for name, content in (("stdout", out), ("stderr", error)):
        if content:
            text = base64.b64encode(content).decode()
            streams += f'<rsp:Stream Name="{name}" CommandId="{request.command}">{text}</rsp:Stream>'
    state = f'<rsp:CommandState CommandId="{request.command}" State="{SHELL}/CommandState/'
    state += 'Running"/>' if code is None else f'Done"><rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState>'
    return _envelope(
        request, f"{SHELL}/ReceiveResponse", f"<rsp:ReceiveResponse>{streams}{state}</rsp:ReceiveResponse>"
    )


def fault(request: Request, code: int | None, reason: str) -> bytes:
    """With the code as WinRM gives it: some only come as an error of WMI."""
    detail = ""
    if code == MAX_OPERATIONS:
        space = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
        detail = f'<m:MSFT_WmiError xmlns:m="{space}"><m:error_Code>{code}</m:error_Code></m:MSFT_WmiError>'
    elif code is not None:
        space = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
        detail = f'<f:WSManFault xmlns:f="{space}" Code="{code}"><f:Message>{escape(reason)}</f:Message></f:WSManFault>'
    body = (
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:InternalError</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(reason)}</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>'
    )
    return _envelope(request, "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", body)
