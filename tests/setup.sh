# Sourced by tests/run, samples/run and .ci/run: installs and configures what they need.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build

packages=(
    g++ meson ninja-build pkg-config
    libxtensor-dev xtl-dev libxsimd-dev libopenblas-dev
    doctest-dev nlohmann-json3-dev zlib1g-dev
    libgtest-dev catch2
    libcli11-dev gnuplot-nox dataset-fashion-mnist
)
installed_something=false

# install_missing PACKAGE...: installs those Debian packages that are not there, and says which.
install_missing()
{
    local package missing=()
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qy -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    command -v dpkg-query >/dev/null || return 0
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    echo "Installing Debian packages, once: ${missing[*]}"
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "This needs root or sudo. As root: apt-get install ${missing[*]}" >&2
            return 1
        fi
        apt=(sudo "${apt[@]}")
    fi
    "${apt[@]}" update </dev/null >/dev/null || true
    "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null |
        { grep --line-buffered '^Setting up' || true; }
    installed_something=true
}

# configure FOLDER OPTION...: sets the build up unless it is; anew where packages have come that it did not find before.
configure()
{
    local folder=$1
    shift
    if [[ ! -f $folder/build.ninja ]]; then
        meson setup "$folder" "$root" "$@"
    elif $installed_something; then
        meson setup --wipe "$folder" "$root" "$@"
    fi
}
