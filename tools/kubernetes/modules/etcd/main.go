// Command etcd is the server of go.etcd.io/etcd, built here because no distribution ships this version.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
