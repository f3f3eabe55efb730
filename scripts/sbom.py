#!/usr/bin/env python3
"""sbom.py IMAGE.tar VERSION: prints the image's SBOM (SPDX 2.3, JSON): what dpkg says of its packages, and what is
linked into the binary. The same image gives the same bytes; its time is $SOURCE_DATE_EPOCH."""

import datetime
import hashlib
import json
import os
import re
import sys
import tarfile


def files_of(image_path):
    """The image's files by name, later layers over earlier ones: those that the SBOM is made of."""
    wanted = re.compile(r"^(\./)?(var/lib/dpkg/status\.d/.+|usr/share/jumun/linked\.tsv|usr/bin/jumun)$")
    files = {}
    with tarfile.open(image_path) as image:
        manifest = json.load(image.extractfile("manifest.json"))[0]
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=image.extractfile(name)) as layer:
                for member in layer:
                    if member.isfile() and wanted.match(member.name):
                        files[member.name.removeprefix("./")] = layer.extractfile(member).read()
    return files


def fields_of(status):
    """The one-line fields of a dpkg status paragraph."""
    return dict(re.findall(r"^([A-Za-z-]+): (.*)$", status.decode(), re.MULTILINE))


def package(name, version, source, supplier):
    # purl: https://github.com/package-url/purl-spec
    purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch=amd64&distro=bookworm"
    return {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": version,
        "supplier": supplier, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
        "sourceInfo": source,
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}],
    }


def main(image_path, version):
    files = files_of(image_path)
    binary = files["usr/bin/jumun"]
    jumun = {
        "SPDXID": "SPDXRef-jumun", "name": "jumun", "versionInfo": version, "supplier": "NOASSERTION",
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION", "primaryPackagePurpose": "APPLICATION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(binary).hexdigest()}],
    }
    packages, relations = [jumun], [("SPDXRef-DOCUMENT", "DESCRIBES", jumun)]
    for path in sorted(name for name in files if name.startswith("var/lib/dpkg/status.d/")):
        of = fields_of(files[path])
        packages.append(package(of["Package"], of["Version"], "Debian source package " + of.get("Source", of["Package"]),
                                "Person: " + of["Maintainer"]))
        relations.append((jumun["SPDXID"], "DEPENDS_ON", packages[-1]))
    for line in files["usr/share/jumun/linked.tsv"].decode().splitlines():
        name, linked_version = line.split("\t")
        packages.append(package(name, linked_version, "linked statically, or headers alone", "Organization: Debian"))
        relations.append((jumun["SPDXID"], "STATIC_LINK", packages[-1]))
    created = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    digest = hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest()
    json.dump({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"jumun-{version}", "documentNamespace": f"urn:jumun:sbom:{digest}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: scripts/sbom.py"]},
        "packages": packages,
        "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b["SPDXID"]}
                          for a, kind, b in relations],
    }, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
