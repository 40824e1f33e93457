# `make deb`: packages of these sources for the Debian that it runs on, in build/deb.

DEB ?= $(BUILD)/deb
# Those for the next Debian come later, so that an upgrade of the machine brings them.
DEB_VERSION ?= $(VERSION)+deb$(shell . /etc/os-release && echo $$VERSION_ID)

# In a copy: packages are made in the sources, and put beside them.
.PHONY: deb
deb:
	tests/install-dependencies deb
	rm -rf $(DEB)
	mkdir -p $(DEB)/sources
	tar -c --exclude-vcs --exclude=./build --exclude=__pycache__ . | tar -x -C $(DEB)/sources
	sed -i '1s/($(VERSION))/($(DEB_VERSION))/' $(DEB)/sources/debian/changelog
	grep -q '($(DEB_VERSION))' $(DEB)/sources/debian/changelog
	cd $(DEB)/sources && DEB_BUILD_OPTIONS=noautodbgsym MAKEFLAGS= dpkg-buildpackage -us -uc -b -j$(shell nproc)
	cd $(DEB) && lintian --fail-on error,warning --info *.changes
	rm -r $(DEB)/sources
	@ls $(DEB)/*.deb
