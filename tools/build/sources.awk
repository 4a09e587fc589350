# Turns apt's own configuration (one-line and deb822 files) into source entries
# of the running release. Same archives, suites and keys; binary entries become
# source entries, other vendors' and newer suites are left out.
# -v codename=bookworm

function ours(suite) {
	sub(/\/$/, "", suite)
	return suite ~ "^(" codename "|stable|oldstable|testing|unstable|sid)([-/](security|updates))?$"
}

function emit(line) {
	if (!seen[line]++)
		print line
}

function flush_stanza(    n, m, u, s, i, j, opt) {
	if (field["types"] ~ /deb/ && tolower(field["enabled"]) !~ /^(no|false|0)/) {
		opt = ""
		if (field["signed-by"] ~ /^[\/A-F0-9, !]+$|^\/[^ ]+( [^ ]+)*$/) {
			gsub(/[ ,]+/, ",", field["signed-by"])
			opt = "signed-by=" field["signed-by"]
		}
		if (tolower(field["trusted"]) == "yes")
			opt = opt (opt ? " " : "") "trusted=yes"
		n = split(field["uris"], u, " ")
		m = split(field["suites"], s, " ")
		if (field["signed-by"] !~ /BEGIN PGP/)
			for (i = 1; i <= n; i++)
				for (j = 1; j <= m; j++)
					if (ours(s[j]))
						emit("deb-src " (opt ? "[" opt "] " : "") u[i] " " s[j] " " field["components"])
	}
	split("", field)
	key = ""
}

FNR == 1 { flush_stanza() }

FILENAME ~ /\.list$/ {
	sub(/#.*/, "")
	if ($1 != "deb" && $1 != "deb-src")
		next
	rest = $0
	sub(/^[ \t]*deb(-src)?[ \t]+/, "", rest)
	opt = ""
	if (rest ~ /^\[/) {
		opt = substr(rest, 1, index(rest, "]"))
		rest = substr(rest, index(rest, "]") + 1)
	}
	n = split(rest, w, " ")
	if (n < 2 || !ours(w[2]))
		next
	sub(/^[ \t]+/, "", rest)
	gsub(/[ \t]*arch=[^] \t]*/, "", opt)
	if (opt ~ /^\[[ \t]*\]$/)
		opt = ""
	emit("deb-src " (opt ? opt " " : "") rest)
	next
}

/^[ \t]*$/ { flush_stanza(); next }
/^#/ { next }
/^[ \t]/ { field[key] = field[key] " " $0; next }
{
	key = tolower(substr($0, 1, index($0, ":") - 1))
	value = substr($0, index($0, ":") + 1)
	sub(/^[ \t]+/, "", value)
	field[key] = value
}

END { flush_stanza() }
