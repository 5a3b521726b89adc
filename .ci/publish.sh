# shellcheck shell=bash
# Lanes of ./dev for what leaves this house: the listing of public items, the licences of what is in it, the packages.
# Sourced by ./dev, whose functions and colours it uses.

published='herd-proto herd-node herd-cli'

# The public items of the published crates, against <crate>/public-api.txt.
lane_api() {
    case "$*" in
        '' | --write) ;;
        *) wrong_usage "api knows only --write" ;;
    esac
    make_ready
    # With all features and the workspace's, as lane doc: what that has built serves here too.
    RUSTDOC="$PWD/.ci/rustdoc-json" RUSTDOCFLAGS="$RUSTDOCFLAGS -Z unstable-options --output-format json" \
        cargo_ doc --workspace --exclude herd-bench --lib --no-deps --all-features || return
    cargo_ run -p herd-bench --features api --bin public-api -- "${CARGO_TARGET_DIR:-target}/doc" "$@"
}

# ---- Licences ----------------------------------------------------------------------------------------------------------------

# What may be in a program that is given away under MIT or Apache-2.0: asks for no more than notices.
allowed_licences=' MIT Apache-2.0 BSD-2-Clause BSD-3-Clause ISC Zlib 0BSD Unlicense CC0-1.0 Unicode-3.0 BSL-1.0 '

# Whether an SPDX expression leaves a way of using it that is allowed. Brackets are taken to hold alternatives, as in all that
# crates say; anything else is not understood, and so not allowed.
is_allowed() {
    local expression=$1 part identifier found
    [ -n "$expression" ] || return 1
    expression=${expression//\// OR }
    while [ -n "$expression" ]; do
        part=${expression%% AND *}
        if [ "$part" = "$expression" ]; then expression=''; else expression=${expression#* AND }; fi
        case "$part" in '('*')') part=${part#(} part=${part%)} ;; esac
        found=''
        while [ -n "$part" ]; do
            identifier=${part%% OR *}
            if [ "$identifier" = "$part" ]; then part=''; else part=${part#* OR }; fi
            case "$allowed_licences" in *" $identifier "*) found=yes ;; esac
        done
        [ -n "$found" ] || return 1
    done
    return 0
}

# name version|licence|where it is kept, a line a package that is in what we publish, on whatever system.
dependencies() {
    local package tree arguments=()
    for package in $published; do arguments+=(-p "$package"); done
    tree=$(cargo tree "${locked[@]}" "${arguments[@]}" --all-features -e normal,build --target all --prefix none \
        --format '{p}|{l}|{r}') || return
    sed '/^$/d; s/ ([^|]*)//g; s/ v\([0-9]\)/ \1/' <<<"$tree" | LC_ALL=C sort -u
}

# Where the sources of packages lie: name version|directory.
source_directories() {
    local metadata
    metadata=$(cargo metadata "${locked[@]}" --format-version 1 --all-features) || return
    # One package an element of "packages"; its manifest is the only path that ends so.
    tr ',' '\n' <<<"$metadata" | sed -n 's/^"manifest_path":"\(.*\)\/Cargo.toml"$/\1/p' | while read -r directory; do
        printf '%s|%s\n' "${directory##*/}" "$directory"
    done
}

# licences: a table; --texts: with what each package says of its licence, word by word.
lane_licences() {
    case "$*" in
        '' | --texts) ;;
        *) wrong_usage "licences knows only --texts" ;;
    esac
    need_rust
    local list package licence home refused=0 count=0
    list=$(dependencies) || return
    while IFS='|' read -r package licence home; do
        case "$package" in herd-*) continue ;; esac
        count=$((count + 1))
        printf '%-36s %-50s %s\n' "$package" "${licence:-says nothing}" "$home"
        if ! is_allowed "$licence"; then
            complain "$package: '$licence' is not among those that .ci/publish.sh allows"
            refused=$((refused + 1))
        fi
    done <<<"$list"
    printf '\n%d packages of others are in what is published, %d under a licence that is not allowed.\n\nData:\n\n' "$count" "$refused"
    cat NOTICE
    [ "$1" != --texts ] || licence_texts "$list" || return
    [ "$refused" -eq 0 ]
}

# In a shell of its own, in which the names of files may be written small: some write license-mit.
licence_texts() (
    shopt -s nocaseglob
    local directories package licence home directory file found
    directories=$(source_directories) || return
    while IFS='|' read -r package licence home; do
        case "$package" in herd-*) continue ;; esac
        directory=$(sed -n "s/^${package/ /-}|//p" <<<"$directories")
        found=''
        printf '\n==== %s (%s)\n' "$package" "$licence"
        for file in "$directory"/LICEN[CS]E* "$directory"/COPYING* "$directory"/COPYRIGHT* "$directory"/NOTICE* "$directory"/UNLICENSE*; do
            [ -f "$file" ] || continue
            found=yes
            printf '\n---- %s\n\n' "${file##*/}"
            cat "$file"
        done
        # Some leave it to their repository.
        [ -n "$found" ] || printf '\nIts package holds no text. See %s\n' "${home:-its page at the registry}"
    done <<<"$1"
)

# ---- Packages ----------------------------------------------------------------------------------------------------------------

# What crates.io takes, in bytes: https://doc.rust-lang.org/cargo/reference/publishing.html
package_bytes_max=$((10 * 1024 * 1024))

# Packages the crates, builds each from what is in its package, shows what that is, and uses them as a stranger would.
lane_package() {
    case "$*" in
        '' | --list) ;;
        *) wrong_usage "package knows only --list" ;;
    esac
    make_ready
    local dirty=() arguments=() crate
    # At a desk one looks before one commits.
    [ -n "$CI" ] || dirty=(--allow-dirty)
    local built="${CARGO_TARGET_DIR:-target}/packages" bad=0 version
    version=$(sed -n 's/^version *= *"\(.*\)".*/\1/p' Cargo.toml)
    for crate in $published; do
        arguments+=(-p "$crate")
        # Cargo builds each with the packages of the others, by a registry made for it, and what came out of a registry once it takes
        # never to change: it would build with those of the last time.
        rm -rf "${CARGO_HOME:-$HOME/.cargo}"/registry/src/-*/"$crate-$version" "$built"/debug/.fingerprint/"$crate"-*
    done
    CARGO_TARGET_DIR=$built cargo_ package "${arguments[@]}" "${dirty[@]}" || return
    local packages="$built/package"
    for crate in $published; do
        show_package "$packages/$crate-$version.crate" "$@" || bad=1
    done
    [ $bad -eq 0 ] || return
    as_a_stranger "$packages" "$version"
}

# What is in a package: files and bytes by directory, or file by file.
show_package() {
    local file=$1 packed missing
    packed=$(wc -c <"$file")
    printf '\n%s%s%s: %d bytes packed, of %d at most\n' "$bold" "${file##*/}" "$plain" "$packed" "$package_bytes_max"
    if [ "$2" = --list ]; then
        tar -tvzf "$file" | awk '{ sub(/^[^\/]*\//, "", $6); printf "%10d  %s\n", $3, $6 }'
    else
        tar -tvzf "$file" | awk '
            { n = split($6, part, "/"); where = n > 2 ? part[2] "/" : part[2]; files[where]++; bytes[where] += $3 }
            END { for (where in files) printf "%10d bytes %5d files  %s\n", bytes[where], files[where], where }' | LC_ALL=C sort -rn
    fi
    for missing in README.md LICENSE-MIT LICENSE-APACHE; do
        tar -tzf "$file" | grep "^[^/]*/$missing\$" >/dev/null && continue
        complain "${file##*/} has no $missing"
        return 1
    done
    [ "$packed" -le "$package_bytes_max" ] || { complain "${file##*/} is too large"; return 1; }
}

# An empty directory, far from this one, in which somebody depends on the packages and does what the examples do.
as_a_stranger() {
    local packages=$1 version=$2 place crate code
    place=$(mktemp -d) || return
    mkdir "$place/crates"
    code=0
    for crate in $published; do tar -xzf "$packages/$crate-$version.crate" -C "$place/crates" || code=1; done
    [ $code -ne 0 ] || .ci/stranger "$place" "$version" "${CARGO_TARGET_DIR:-$PWD/target}/stranger" || code=$?
    rm -rf "$place"
    return $code
}

# ---- Debian packages ---------------------------------------------------------------------------------------------------------

# Builds herd-node and herd-cli as Debian packages into target/deb, looks into them, and as root installs, uses and purges them in a
# Debian of its own. Where that can't be had, less is done, and that is said.
lane_deb() {
    [ $# -eq 0 ] || wrong_usage "deb takes no options"
    make_ready
    if ! have dpkg-deb; then
        printf '%sdeb: skipped: this is no Debian (no dpkg-deb)%s\n' "$bold" "$plain"
        return 0
    fi
    get_deb_tools
    local packages="${CARGO_TARGET_DIR:-target}/deb" cargo_deb
    find_cargo_deb || {
        printf '%sdeb: skipped: cargo-deb can not be had%s\n' "$bold" "$plain"
        return 0
    }
    cargo_ build --release --bins || return
    run packaging/build-deb "$cargo_deb" "$packages" || return
    run packaging/test-deb "$packages"
}

# The version that the packages were made and looked at with.
cargo_deb_version=3.8.0

# Leaves in `cargo_deb` what makes the packages. Installed under target/tools if it is not there: it takes about a minute.
find_cargo_deb() {
    local tools="${CARGO_TARGET_DIR:-target}/tools" found
    for cargo_deb in "$(command -v cargo-deb)" "$tools/bin/cargo-deb"; do
        # It says its name, too.
        found=$("$cargo_deb" --version 2>/dev/null)
        if [ "${found##* }" = "$cargo_deb_version" ]; then return 0; fi
    done
    run cargo install cargo-deb --version "$cargo_deb_version" --locked --root "$tools"
}

# What looks into packages and installs them, by Debian's names. Whatever can't be had is done without.
get_deb_tools() {
    local missing=() tool
    for tool in shellcheck mmdebstrap; do have "$tool" || missing+=("$tool"); done
    [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && have apt-get || return 0
    printf '%sMissing: %s. Installing now.%s\n' "$bold" "${missing[*]}" "$plain"
    run apt-get update || true
    run env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" ||
        complain "that did not work; going on without"
}
