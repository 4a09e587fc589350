# SPDX-License-Identifier: GPL-2.0-or-later
# A command's --help as a table for completions, separated by tabs:
#   command NAME TEXT
#   option COMMAND SHORT LONG ARGUMENT TEXT
#   operand COMMAND ARGUMENT
# -v command=NAME; none for the program itself, whose help alone has commands.

BEGIN { OFS = "\t" }

# usage, up to the first empty line: a word of capitals that is no option's value
/^usage: / { usage = 1 }
!NF { usage = 0 }
usage {
	gsub(/[][|.…]/, " ")
	for (i = 1; i <= NF; i++)
		if ($i ~ /^(DEVICE|SELECTOR)$/ && $(i - 1) !~ /^-/ && !told[$i]++)
			print "operand", command, $i
	next
}

/^  (-[A-Za-z], |    )--[a-z]/ {
	line = $0
	short = line ~ /^  -/ ? substr(line, 3, 2) : ""
	line = substr(line, 7)
	match(line, /^--[a-z-]+/)
	long = substr(line, 1, RLENGTH)
	line = substr(line, RLENGTH + 1)
	argument = ""
	if (match(line, /^[ =][A-Z][A-Z-]*/)) {
		argument = substr(line, 2, RLENGTH - 1)
		line = substr(line, RLENGTH + 1)
	}
	sub(/^ +/, "", line)
	print "option", command, short, long, argument, line
	next
}

!command && /^  [a-z][a-z-]*  +[^ ]/ {
	name = $1
	sub(/^ +[a-z-]+ +/, "")
	print "command", name, $0
}
