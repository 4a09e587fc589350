# Reads apt's sources (one-line and deb822 files); writes source entries for the running
# release to OUT.list and OUT.sources, and their suites to OUT.suites. Archives, suites, keys
# and options stay as they are; other vendors' archives and backports are left out.
# -v codename=bookworm -v out=OUT

function ours(suite) {
	sub(/\/$/, "", suite)
	return suite ~ "^(" codename "|stable|oldstable|testing|unstable|sid)([-/](security|updates))?$"
}

function note(suite) {
	sub(/\/$/, "", suite)
	if (!noted[suite]++)
		print suite >(out ".suites")
}

function flush_stanza(    n, i, suite, kept, text) {
	n = split(suites, suite, " ")
	kept = ""
	for (i = 1; i <= n; i++)
		if (types ~ /deb/ && enabled !~ /^(no|false|0)/ && ours(suite[i])) {
			kept = kept " " suite[i]
			note(suite[i])
		}
	text = "Types: deb-src\nSuites:" kept "\n" rest
	if (kept && !seen[text]++)
		print text >(out ".sources")
	types = suites = enabled = rest = key = ""
}

FNR == 1 { flush_stanza() }

FILENAME ~ /\.list$/ {
	sub(/#.*/, "")
	if ($1 != "deb" && $1 != "deb-src")
		next
	sub(/^[ \t]*deb(-src)?[ \t]+/, "")
	option = ""
	if (/^\[/) {
		option = substr($0, 1, index($0, "]"))
		$0 = substr($0, index($0, "]") + 1)
		gsub(/arch=[^] \t]*/, "", option)
	}
	sub(/^[ \t]+/, "")
	if (NF < 2 || !ours($2))
		next
	note($2)
	line = "deb-src " (option ~ /[a-z]/ ? option " " : "") $0
	if (!seen[line]++)
		print line >(out ".list")
	next
}

/^#/ { next }
/^[ \t]*$/ { flush_stanza(); next }
/^[ \t]/ {
	if (key == "suites")
		suites = suites " " $0
	else if (key == "types")
		types = types " " $0
	else
		rest = rest $0 "\n"
	next
}
{
	key = tolower(substr($0, 1, index($0, ":") - 1))
	value = substr($0, index($0, ":") + 1)
	if (key == "types")
		types = value
	else if (key == "suites")
		suites = value
	else if (key == "enabled") {
		enabled = tolower(value)
		sub(/^[ \t]+/, "", enabled)
	} else if (key != "architectures")
		rest = rest $0 "\n"
}

END { flush_stanza() }
