#!/usr/bin/env bash
#
# Writes configure.document.yaml, the Systems Manager document that runs configure.sh on a builder. To be run after each
# change of configure.sh; a test holds one against the other.
#
# The script is in the document as it is, to be read there by whoever looks at what runs as root. What the command hands
# over goes through the allowed patterns, which are the script's own, into single quotes: it cannot become shell.

set -euo pipefail
cd "$(dirname "$0")"

# Systems Manager takes braces in pairs for one of its parameters, wherever they are.
if grep -nF '{{' configure.sh; then
    echo "make-document.sh: configure.sh must do without '{{': in a document that is a parameter" >&2
    exit 1
fi

{
    cat <<'DOCUMENT'
# Written by make-document.sh. Change configure.sh and run that.
schemaVersion: "2.2"
description: Installs one hop of an upgrade on a builder and migrates the data to it
parameters:
  Version:
    type: String
    description: The version to install
    allowedPattern: '^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$'
  From:
    type: String
    description: The version that is installed
    allowedPattern: '^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$'
  Run:
    type: String
    description: The run that asks for it
    allowedPattern: '^[A-Za-z0-9_-]{1,80}$'
mainSteps:
  - action: aws:runShellScript
    name: configure
    inputs:
      # The agent joins these to one file and runs it, by its first line in bash.
      runCommand:
        - "#!/usr/bin/env bash"
        - set -- --version '{{ Version }}' --from '{{ From }}' --run '{{ Run }}'
        - |
DOCUMENT
    sed 's/^./          &/' configure.sh
    # After the script, so that nothing on the way takes the end of the file, and with it of the script, for blank.
    cat <<'DOCUMENT'
      # More than the script's own deadlines, so that it is the script that gives up and says so; and, with the 15 min
      # that an agent may take to come online, no more than the three hours that a run gives one hop.
      timeoutSeconds: "9900"
DOCUMENT
} >configure.document.yaml.new
mv configure.document.yaml.new configure.document.yaml
