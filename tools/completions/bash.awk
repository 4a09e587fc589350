# SPDX-License-Identifier: GPL-2.0-or-later
# The table as bash's completion.

BEGIN { FS = "\t" }

$1 == "command" { names = names " " $2 }
$1 == "option" {
	options[$2] = options[$2] " " $4
	if ($5 && !known[$3 $4]++)
		valued[$5] = valued[$5] " | " $4 ($3 ? " | " $3 : "")
}
$1 == "operand" { devices = devices " | " $2 }

# $1: metavariables, $2: what bash does for them
function value(argument, action) {
	if (valued[argument])
		print "\t" substr(valued[argument], 4) ")\n\t\t" action "\n\t\treturn\n\t\t;;"
	delete valued[argument]
}

END {
	print "# bash completion for ghost-boot, made from its --help\n"
	print "# Addresses, the only names of a device that hold no blanks."
	print "_ghost_boot_devices() {"
	print "\tlocal folder"
	print "\tfor folder in \"${1%/}\"/sys/bus/pci/devices/*; do"
	print "\t\t[ ! -L \"$folder\" ] || echo \"${folder##*/}\""
	print "\tdone\n}\n"
	print "_ghost_boot() {"
	print "\tlocal cur=$2 prev=$3 line=$COMP_LINE command='' root=/ options='" substr(options[""], 2) "' i\n"
	print "\t# addresses have colons, which readline would break words at"
	print "\tcur=${line:0:COMP_POINT}"
	print "\tcur=${cur##*[[:space:]=]}"
	print "\tCOMPREPLY=()"
	print "\tfor ((i = 1; i < COMP_CWORD; i++)); do"
	print "\t\tcase ${COMP_WORDS[i]} in"
	n = split(substr(names, 2), name, " ")
	for (i = 1; i <= n; i++)
		either = either " | " name[i]
	print "\t\t--root) root=${COMP_WORDS[++i]} ;;"
	print "\t\t" substr(either, 4) ") command=${command:-${COMP_WORDS[i]}} ;;"
	print "\t\tesac\n\tdone"
	print "\tcase $prev in"
	value("DIR", "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")")
	value("FILE", "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")")
	for (argument in valued)
		other = other valued[argument]
	if (other)
		print "\t" substr(other, 4) ") return ;;"
	print "\tesac"
	print "\tcase $command in"
	for (i = 1; i <= n; i++)
		print "\t" name[i] ") options='" substr(options[name[i]], 2) "' ;;"
	print "\t*) options+='" names "' ;;"
	print "\tesac"
	if (devices) {
		print "\tcase $command in"
		print "\t" substr(devices, 4) ") [[ $cur == -* ]] || options=$(_ghost_boot_devices \"$root\") ;;"
		print "\tesac"
	}
	print "\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")"
	print "\t# readline keeps what stands before the last colon"
	print "\t[[ $cur != *:* ]] || COMPREPLY=(\"${COMPREPLY[@]#\"${cur%:*}:\"}\")"
	print "}\n\ncomplete -F _ghost_boot ghost-boot"
}
