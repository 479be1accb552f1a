package command

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"tollgate/tests/azurite"
	"tollgate/tests/desk"
)

// A run on Azurite keeps its counts from one run to the next.
func TestUpOnOtherTables(t *testing.T) {
	url, account, key := azurite.Start(t)
	connection := "DefaultEndpointsProtocol=http;AccountName=" + account + ";AccountKey=" + key + ";TableEndpoint=" + url
	d := desk.New(t)
	for range 2 {
		cmd := d.Up(t, "--tables", connection)
		if got := tablesOf(t, d); got != connection {
			t.Errorf("run.json has %q", got)
		}
		key, _ := open(t, d, "create", "--product", "partner", "--owner", "me")
		for _, args := range [][]string{
			{"call", "GET", "/rates/eur", "--anonymous", "--key", key}, {"call", "GET", "/archive/42", "--role", "Archive.Read"},
			{"revoke", "user", ann, "--yes"}, {"revocations", "lift", "--help"},
		} {
			if out, errs, code := d.Run(args...); code != 0 {
				t.Fatalf("%v: got exit %d, %s%s", args, code, out, errs)
			}
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	usage := d.Command("usage", "--tables", "-", "--limit", "daily")
	usage.Env = append(usage.Environ(), "TOLLGATE_TABLES="+connection)
	out, errs, code := desk.Finish(usage)
	if code != 0 || strings.Count(out, "product/partner") != 2 || strings.Count(out, "(product partner, me)") != 2 {
		t.Errorf("got exit %d, %s%s, want what both runs counted", code, out, errs)
	}
}

// By a SAS, on the tables of another run: those of two runs are then one.
func TestUpOnTablesByASAS(t *testing.T) {
	d := desk.New(t)
	d.Up(t)
	_, endpoint, _ := strings.Cut(tablesOf(t, d), "TableEndpoint=")
	d.Up(t, "--run", ".second/run.json", "--tables", endpoint+"?sv=2019-02-02&se=9999-01-01&sig=any")
	if _, errs, code := d.Run("call", "GET", "/archive/42", "--role", "Archive.Read", "--run", ".second/run.json"); code != 0 {
		t.Fatal(errs)
	}
	for _, run := range []string{".tollgate/run.json", ".second/run.json"} {
		if out, errs, code := d.Run("usage", "--run", run); code != 0 || !strings.Contains(out, "api/archive  volume") {
			t.Errorf("%s: got exit %d, %s%s", run, code, out, errs)
		}
	}
}

// Where the variable is set and --tables is not given, the run has its own tables.
func TestUpHasItsOwnTablesUnlessToldOtherwise(t *testing.T) {
	t.Setenv("TOLLGATE_TABLES", "http://127.0.0.1:1/nowhere?sig=x")
	d := desk.New(t)
	if out, errs, code := d.Run("up", "--once", "--port", "0"); code != 0 {
		t.Errorf("got exit %d, %s%s", code, out, errs)
	}
}

func TestUpSaysWhatIsWrongWithItsTables(t *testing.T) {
	d := desk.New(t)
	url, account, _ := azurite.Start(t)
	mute, err := net.Listen("tcp", "127.0.0.1:0") // takes calls, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	const secret = "U0VDUkVUS0VZ"
	for _, c := range []struct{ address, want string }{
		{"http://127.0.0.1:1/x?sig=" + secret, "the tables of --tables can't be used: read tollgatelimits: dial tcp 127.0.0.1:1: connect: connection refused"},
		{"http://" + mute.Addr().String() + "/x?sig=" + secret, "the store didn't answer in time"},
		{"AccountName=" + account + ";AccountKey=" + secret + ";TableEndpoint=" + url, "the store answered 403"},
		{"AccountName=x;AccountKey=" + secret + ";TableEndpoint=http://192.0.2.1", "plain http, which is for loopback only"},
		{"https://x.table.core.windows.net", "needs an address with a SAS, or a connection string"},
		{"AccountKey=" + secret, "names neither TableEndpoint nor"},
		{"https://nowhere.invalid/?sig=" + secret, "lookup nowhere.invalid"},
		{"nonsense", "neither an https address nor a connection string"},
		{"-", "which is not set"},
	} {
		began := time.Now()
		out, errs, code := d.Run("up", "--port", "0", "--tables", c.address)
		if code != 1 || out != "" || !strings.Contains(errs, c.want) || strings.Contains(errs, secret) || time.Since(began) > 20*time.Second {
			t.Errorf("%s: got exit %d after %s, %s%s\nwant %s", c.address, code, time.Since(began), out, errs, c.want)
		}
	}
}
