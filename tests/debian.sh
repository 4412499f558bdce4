# Sourced by what gets a program from Debian's own packages for some tests: without root, and without
# a change to the system. Where it cannot be had those tests are skipped, and say so.
#
#   begin FOLDER NAME PROGRAM WHAT   ends at once where the program is there
#   fetch PACKAGE...                 unpacks these into $fresh/got, and nothing that they need
#   fetch_whole PACKAGE              the same with all that the system lacks for it
#   finish [PATH]                    puts $fresh/got, or what is at PATH there, into FOLDER/NAME
set -uo pipefail
limits=(-o Acquire::Retries=0 -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15
  -o Debug::NoLocking=1 -o APT::Sandbox::User=)

begin() {
  folder=$(realpath -m "$1")/$2 program=$2 what=$4
  # What is linked to belongs to another checkout; what the system has is taken from there.
  [ -L "$1" ] && exit 0
  [ -e "$folder/.installed" ] && exit 0
  command -v "$3" >/dev/null && exit 0
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || give_up "it is not installed"
  echo "      Getting $program for $what (seconds) ..."
  fresh=$(mktemp -d)
  trap 'rm -rf "$fresh"' EXIT
  chmod 755 "$fresh" # apt fetches as a user of its own
  mkdir -p "$fresh"/{got,debs,state/lists/partial,cache/archives/partial}
}

give_up() {
  mkdir -p "$folder" && echo "$1" >"$folder/.installed"
  echo "      Not tried: $what, as $program is not there: $1 (rm -r $folder tries again)."
  exit 0
}

fetch() { _fetch 60 "cd $fresh/debs && apt-get" download "$@"; }

fetch_whole() {
  _fetch 240 apt-get -o Dir::Cache::archives="$fresh/debs" --yes --no-install-recommends \
    --download-only install "$@"
}

# Asks with the system's lists, then with lists of its own, where there are none, as in a small image.
_fetch() {
  local seconds=$1 command=$2
  shift 2
  mkdir -p "$fresh/debs/partial"
  local own=(-o "Dir::State::Lists=$fresh/state/lists" -o "Dir::Cache=$fresh/cache")
  if ! timeout "$seconds" bash -c "$command \"\$@\"" _ "${limits[@]}" -qq "$@" >/dev/null 2>&1; then
    timeout 90 apt-get "${limits[@]}" "${own[@]}" -qq update >/dev/null 2>&1
    timeout "$seconds" bash -c "$command \"\$@\"" _ "${limits[@]}" "${own[@]}" -qq "$@" \
      >/dev/null 2>&1 || give_up "Debian's packages could not be fetched"
  fi
  for one in "$fresh"/debs/*.deb; do
    dpkg-deb -x "$one" "$fresh/got" || give_up "Debian's packages cannot be unpacked"
  done
}

finish() {
  rm -rf "$folder" && mkdir -p "$(dirname "$folder")" && mv "$fresh/got${1:+/$1}" "$folder" &&
    touch "$folder/.installed"
}
