# debian/changelog from docs/CHANGELOG.md: "## VERSION - DATE" and its list.
function finish_item(    words, n, i, line) {
	n = split(item, words)
	line = "  *"
	for (i = 1; i <= n; i++) {
		if (length(line " " words[i]) > 79) {
			print line
			line = "   "
		}
		line = line " " words[i]
	}
	if (n > 0)
		print line
	item = ""
}
function finish() {
	finish_item()
	if (version != "")
		printf "\n -- %s  %s\n\n", maintainer, date
}
/^## / {
	finish()
	version = $2
	command = "date -u -R -d " $4
	command | getline date
	close(command)
	printf "logplex-statsd (%s) unstable; urgency=medium\n\n", version
}
version != "" && sub(/^- /, "") { finish_item(); item = $0; next }
item != "" && /^  / { item = item $0 }
END { finish() }
