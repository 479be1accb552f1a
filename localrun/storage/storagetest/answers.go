package storagetest

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

const (
	stale     = azcore.ETag(`W/"datetime'2020-01-01T00%3A00%3A00.0000000Z'"`)
	malformed = azcore.ETag("MalformedETag")
)

// answers are those of ecosystem.md §1, "Answers seen".
func answers() []expectation {
	return append([]expectation{
		{"nothing can be done in a table that isn't there", absentTable, strings.Repeat("404 TableNotFound, ", 5) + "404 TableNotFound", ""},
		{"an entity that isn't there can be neither read nor changed", absentEntity, strings.Repeat("404 ResourceNotFound, ", 5) + "404 ResourceNotFound", ""},
		{"an entity is added once", func(b *bench) string {
			b.add("p", "r", nil)
			_, err := b.table.AddEntity(b.ctx, entity("p", "r", nil), nil)
			return Outcome(err)
		}, "409 EntityAlreadyExists", ""},
		{"a stale ETag changes nothing", func(b *bench) string { return conditional(b, stale) },
			"412 UpdateConditionNotSatisfied, 412 UpdateConditionNotSatisfied, 412 UpdateConditionNotSatisfied", ""},
		{"new gap: a malformed ETag is refused", func(b *bench) string { return conditional(b, malformed) },
			"400 InvalidInput, 400 InvalidInput, 400 InvalidInput", "400 InvalidOperation, 400 InvalidInput, 400 InvalidInput"},
		{"gap 5: a wrong key is refused", func(b *bench) string {
			other := b.about
			other.Key = "bm90IHRoZSBrZXk="
			_, err := Client(b.t, other).CreateTable(b.ctx, "other", nil)
			return Outcome(err)
		}, "403 AuthenticationFailed", "403 AuthorizationFailure"},
	}, append(names(), tags()...)...)
}

// names: what a table may be called, and that it is there once.
func names() []expectation {
	return []expectation{
		{"a table is created once", func(b *bench) string {
			_, err := b.table.CreateTable(b.ctx, nil)
			return Outcome(err)
		}, "409 TableAlreadyExists", ""},
		{"a table that isn't there can't be deleted", func(b *bench) string {
			_, err := b.service.DeleteTable(b.ctx, "absent", nil)
			return Outcome(err)
		}, "404 ResourceNotFound", ""},
		{"a table that was deleted is gone", func(b *bench) string {
			_, err := b.table.Delete(b.ctx, nil)
			_, after := b.table.GetEntity(b.ctx, "p", "r", nil)
			return Outcome(err) + ", " + Outcome(after)
		}, "ok, 404 TableNotFound", ""},
		{"new gap: a table's name has letters and digits", func(b *bench) string {
			_, err := b.service.CreateTable(b.ctx, "not-a-name", nil)
			return Outcome(err)
		}, "400 InvalidResourceName", "400"},
		{"new gap: a table's name isn't short", func(b *bench) string {
			_, err := b.service.CreateTable(b.ctx, "ab", nil)
			return Outcome(err)
		}, "400 OutOfRangeInput", "400"},
	}
}

// tags: what an ETag looks like, and that it changes with each write.
func tags() []expectation {
	shape := regexp.MustCompile(`^W/"datetime'\d{4}-\d\d-\d\dT\d\d%3A\d\d%3A\d\d\.\d{7}Z'"$`)
	return []expectation{
		{"200 writes have 200 ETags", func(b *bench) string {
			seen := map[azcore.ETag]bool{}
			for range 200 {
				resp, err := b.table.UpsertEntity(b.ctx, entity("p", "r", nil), nil)
				if err != nil || !shape.MatchString(string(resp.ETag)) {
					return fmt.Sprint(err, resp.ETag)
				}
				seen[resp.ETag] = true
			}
			return fmt.Sprint(len(seen))
		}, "200", ""},
		{"the ETag of a write is the one that a read gives, and lets the next write through", func(b *bench) string {
			tag := b.add("p", "r", nil)
			read, err := b.table.GetEntity(b.ctx, "p", "r", nil)
			if err != nil || read.ETag != tag {
				return fmt.Sprint(err, read.ETag, tag)
			}
			return conditional(b, tag)
		}, "ok, 412 UpdateConditionNotSatisfied, 412 UpdateConditionNotSatisfied", ""},
	}
}

// conditional merges, replaces and deletes with one ETag.
func conditional(b *bench, tag azcore.ETag) string {
	_, _ = b.table.UpsertEntity(b.ctx, entity("other", "r", nil), nil)
	if _, err := b.table.GetEntity(b.ctx, "p", "r", nil); err != nil {
		b.add("p", "r", nil)
	}
	_, merge := b.table.UpdateEntity(b.ctx, entity("p", "r", nil), &aztables.UpdateEntityOptions{IfMatch: &tag, UpdateMode: aztables.UpdateModeMerge})
	_, replace := b.table.UpdateEntity(b.ctx, entity("p", "r", nil), &aztables.UpdateEntityOptions{IfMatch: &tag, UpdateMode: aztables.UpdateModeReplace})
	_, remove := b.table.DeleteEntity(b.ctx, "p", "r", &aztables.DeleteEntityOptions{IfMatch: &tag})
	return Outcome(merge) + ", " + Outcome(replace) + ", " + Outcome(remove)
}

func absentTable(b *bench) string {
	t := b.service.NewClient("absent")
	_, get := t.GetEntity(b.ctx, "p", "r", nil)
	_, add := t.AddEntity(b.ctx, entity("p", "r", nil), nil)
	_, merge := t.UpdateEntity(b.ctx, entity("p", "r", nil), nil)
	_, upsert := t.UpsertEntity(b.ctx, entity("p", "r", nil), nil)
	_, remove := t.DeleteEntity(b.ctx, "p", "r", nil)
	_, query := t.NewListEntitiesPager(nil).NextPage(b.ctx)
	return outcomes(get, add, merge, upsert, remove, query)
}

func absentEntity(b *bench) string {
	_, get := b.table.GetEntity(b.ctx, "p", "r", nil)
	_, merge := b.table.UpdateEntity(b.ctx, entity("p", "r", nil), nil)
	_, tagged := b.table.UpdateEntity(b.ctx, entity("p", "r", nil), &aztables.UpdateEntityOptions{IfMatch: ifMatch(stale), UpdateMode: aztables.UpdateModeMerge})
	_, replace := b.table.UpdateEntity(b.ctx, entity("p", "r", nil), &aztables.UpdateEntityOptions{UpdateMode: aztables.UpdateModeReplace})
	_, remove := b.table.DeleteEntity(b.ctx, "p", "r", nil)
	_, removeTagged := b.table.DeleteEntity(b.ctx, "p", "r", &aztables.DeleteEntityOptions{IfMatch: ifMatch(stale)})
	return outcomes(get, merge, tagged, replace, remove, removeTagged)
}

func outcomes(errs ...error) string {
	var all []string
	for _, err := range errs {
		all = append(all, Outcome(err))
	}
	return strings.Join(all, ", ")
}
