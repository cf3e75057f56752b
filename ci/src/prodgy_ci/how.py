"""How an environment is reached: the arguments of `environment` and of `pipeline`, with their help."""

from typing import Annotated

import dagger
from dagger import Doc

REGISTRY_CA = Doc("The certificate authority of a registry with a private one, as a PEM file")
REGISTRY_SERVICE = Doc(
    "The registry itself where it runs on this machine: tcp://127.0.0.1:PORT; without TLS unless a CA is given"
)

Variables = Annotated[dagger.File | None, Doc("The environment's variable group as NAME=value lines, such as vars.env")]
ArmToken = Annotated[
    dagger.Secret | None,
    Doc("A token for Azure Resource Manager, such as cmd://'az account get-access-token --query accessToken -o tsv'"),
]
RegistryUsername = Annotated[str, Doc("The registry's user name; by default the one that goes with a token of Azure's")]
RegistryPassword = Annotated[dagger.Secret | None, Doc("The registry's password or token")]
SwaToken = Annotated[
    dagger.Secret | None, Doc("The site's deployment token, such as env://AZURE_STATIC_WEB_APP_API_TOKEN")
]
VmPassword = Annotated[dagger.Secret | None, Doc("The password of VM_USER, such as env://VM_PASSWORD")]
VmCa = Annotated[
    dagger.File | None, Doc("The certificate authority of the Windows machine's certificate, as a PEM file")
]
VmHttp = Annotated[bool, Doc("Speak to the Windows machine over HTTP; NTLM encrypts the messages")]
Subscription = Annotated[
    str | None, Doc("The Azure subscription's id; by default the only one visible that holds resourceGroup")
]
ArmUrl = Annotated[str, Doc("Azure Resource Manager's address")]
SwaClient = Annotated[dagger.File | None, Doc("The upload client of Static Web Apps; by default its CLI downloads it")]
RegistryCa = Annotated[dagger.File | None, REGISTRY_CA]
RegistryService = Annotated[dagger.Service | None, REGISTRY_SERVICE]
ArmService = Annotated[
    dagger.Service | None,
    Doc(
        "A stand-in of Azure Resource Manager on this machine: tcp://127.0.0.1:PORT, without TLS; the container "
        "apps' host names are asked there too, as /fqdn/NAME"
    ),
]
SiteService = Annotated[dagger.Service | None, Doc("A stand-in of the static site on this machine; without TLS")]
VmService = Annotated[
    dagger.Service | None, Doc("The Windows machine where it is reached over this one, in place of VM_IP")
]
CheckSecrets = Annotated[
    dagger.Secret | None,
    Doc(
        "What the checks sign in with, as NAME=value lines: DATABASE_URL, REDIS_URL, LOGIN_EMAIL, LOGIN_PASSWORD "
        "and the services' tokens"
    ),
]
OtherFingerprints = Annotated[
    dagger.File | None, Doc("fingerprints.json of the other environments, as preflight-report wrote it")
]
CheckCa = Annotated[
    dagger.File | None, Doc("A private certificate authority that the checks trust beside the public ones, PEM")
]
