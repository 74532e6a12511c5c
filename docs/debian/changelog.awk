# debian/changelog from docs/CHANGELOG.md: "## VERSION - DATE" and its list.
function finish() {
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
version != "" && sub(/^- /, "  * ") { print; next }
version != "" && /^  / { print "  " $0 }
END { finish() }
