# SPDX-License-Identifier: GPL-2.0-or-later
# The table as fish's completion.

BEGIN { FS = "\t" }

function quoted(text) {
	gsub(/[\\']/, "\\\\&", text)
	return "'" text "'"
}

# $1: command; none: before there is one
function when(command) {
	return command ? quoted("__fish_seen_subcommand_from " command) : \
		quoted("not __fish_seen_subcommand_from $__ghost_boot_commands")
}

$1 == "command" {
	names = names " " $2
	out[++n] = "complete -c ghost-boot -n " when("") " -a " $2 " -d " quoted($3)
}
$1 == "option" {
	value = ""
	if ($5)
		value = $5 == "FILE" ? " -r -F" : $5 == "DIR" ? " -x -a '(__fish_complete_directories)'" : " -x"
	out[++n] = "complete -c ghost-boot -n " when($2) ($3 ? " -s " substr($3, 2) : "") \
		" -l " substr($4, 3) value " -d " quoted($6)
}
$1 == "operand" {
	out[++n] = "complete -c ghost-boot -n " when($2) " -a '(__ghost_boot_devices)'"
}

END {
	print "# fish completion for ghost-boot, made from its --help\n"
	print "function __ghost_boot_devices"
	print "    for folder in /sys/bus/pci/devices/*"
	print "        string replace -r '.*/' '' $folder"
	print "    end\nend\n"
	print "set -g __ghost_boot_commands" names
	print "complete -c ghost-boot -f"
	for (i = 1; i <= n; i++)
		print out[i]
}
