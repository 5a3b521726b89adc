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
    # One package an element of "packages"; its manifest is the only path that ends so.
    cargo metadata "${locked[@]}" --format-version 1 --all-features | tr ',' '\n' |
        sed -n 's/^"manifest_path":"\(.*\)\/Cargo.toml"$/\1/p' | while read -r directory; do
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
    [ "$1" != --texts ] || licence_texts "$list"
    [ "$refused" -eq 0 ]
}

licence_texts() {
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
}
