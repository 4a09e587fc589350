# SPDX-License-Identifier: GPL-2.0-or-later
# The table as zsh's completion.

BEGIN { FS = "\t" }

function quoted(text) {
	gsub(/'/, "'\\''", text)
	return "'" text "'"
}

function action(argument) {
	if (argument == "DIR")
		return "_files -/"
	if (argument == "FILE")
		return "_files"
	return argument ~ /^(DEVICE|SELECTOR)$/ ? "_ghost_boot_devices" : " "
}

$1 == "command" { name[++n] = $2; described[n] = quoted($2 ":" $3) }
$1 == "option" {
	text = $6
	gsub(/[][\\]/, "\\\\&", text)
	value = $5 ? ":" tolower($5) ":" action($5) : ""
	many = $5 && $5 !~ /^(DIR|FILE)$/ ? "*" : ""
	one = "\t\t" ($3 ? quoted("(" $3 " " $4 ")") "{" $3 "," $4 "}" quoted("[" text "]" value) : \
		quoted(many $4 "[" text "]" value))
	specs[$2] = specs[$2] " \\\n" one
}
$1 == "operand" { specs[$2] = specs[$2] " \\\n\t\t" quoted("*:" tolower($3) ":" action($3)) }

END {
	print "#compdef ghost-boot"
	print "# zsh completion for ghost-boot, made from its --help\n"
	print "_ghost_boot_devices() {"
	print "\tlocal -a devices=(/sys/bus/pci/devices/*(N:t))"
	print "\tcompadd -a devices\n}\n"
	print "_ghost_boot() {"
	print "\tlocal curcontext=$curcontext state line"
	print "\tlocal -a commands=("
	for (i = 1; i <= n; i++)
		print "\t\t" described[i]
	print "\t)\n"
	print "\t_arguments -C" specs[""] " \\\n\t\t'1:command:->command' '*::argument:->argument' && return"
	print "\tcase $state in"
	print "\tcommand) _describe command commands ;;"
	print "\targument)\n\t\tcase $words[1] in"
	for (i = 1; i <= n; i++)
		print "\t\t" name[i] ") _arguments" specs[name[i]] " ;;"
	print "\t\tesac\n\t\t;;\n\tesac\n}\n\n_ghost_boot \"$@\""
}
