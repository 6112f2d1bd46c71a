#!/usr/bin/env bash
#
# Writes configure.document.yaml, the Systems Manager document that runs configure.sh on a builder. Run it after each change
# of configure.sh; a test compares the two files.
#
# The document has the script as plain text, so that anyone can read in Systems Manager what runs as root. The parameters
# must match patterns, which are those of the script, and stand in single quotes, so the shell never executes them.

set -euo pipefail
cd "$(dirname "$0")"

# Systems Manager treats double braces as one of its parameters, wherever they occur.
if grep -nF '{{' configure.sh; then
    echo "make-document.sh: configure.sh must not contain '{{', which marks a parameter in a document" >&2
    exit 1
fi

{
    cat <<'DOCUMENT'
# Written by make-document.sh. Change configure.sh and run make-document.sh.
schemaVersion: "2.2"
description: Installs one hop of an upgrade on a builder and migrates the data to it
parameters:
  Version:
    type: String
    description: The version to install
    allowedPattern: '^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$'
  From:
    type: String
    description: The version that is installed now
    allowedPattern: '^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$'
  Run:
    type: String
    description: The run that installs it
    allowedPattern: '^[A-Za-z0-9_-]{1,80}$'
mainSteps:
  - action: aws:runShellScript
    name: configure
    inputs:
      # The agent joins these lines to one file and runs it; the first line selects bash.
      runCommand:
        - "#!/usr/bin/env bash"
        - set -- --version '{{ Version }}' --from '{{ From }}' --run '{{ Run }}'
        - |
DOCUMENT
    sed 's/^./          &/' configure.sh
    # After the script, so that no tool strips the end of the script as the blank end of the file.
    cat <<'DOCUMENT'
      # Longer than the deadlines of the script together, so that the script itself fails and prints its verdict. With the
      # 15 min that an agent may take to come online, no longer than the three hours that a run allows for one hop.
      timeoutSeconds: "9900"
DOCUMENT
} >configure.document.yaml.new
mv configure.document.yaml.new configure.document.yaml
